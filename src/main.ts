import 'reflect-metadata';
import { runServer } from './app/run-server.js';

await runServer(process.env);
