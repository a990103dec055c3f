import type { AddressRules } from '../../src/adapters/peer-transport/http/peer-addresses.js';

/** Lets a transport of the tests call servers on this machine, as a server whose own address is a loopback one does. */
export const LOOPBACK_PEERS = { addresses: (): AddressRules => ({ allowsLoopback: true, allowed: [] }) };
