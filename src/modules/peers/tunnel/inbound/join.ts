import { pipeline, type Duplex } from 'node:stream';

/** Makes one connection of two, with back-pressure both ways. The end of either, or a fault, ends both. */
export function joinStreams(a: Duplex, b: Duplex): void {
  const end = (error?: Error | null): void => {
    if (!error) return;
    a.destroy();
    b.destroy();
  };
  pipeline(a, b, end);
  pipeline(b, a, end);
}
