import 'reflect-metadata';
import { runServer } from './app/boot/run-server.js';

await runServer(process.env);
