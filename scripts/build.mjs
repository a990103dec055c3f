// npm run build: everything that runs from dist/.
import { build } from './prepare.mjs';

build();
