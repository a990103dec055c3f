import 'reflect-metadata';
import { keepHeapSmall } from './app/boot/heap.js';
import { runServer } from './app/boot/run-server.js';

keepHeapSmall();
await runServer(process.env);
