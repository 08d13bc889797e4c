import { serveFleet } from '#sim/process.js'

/** Entry of a child process of `fork.ts`; nobody imports it. */
serveFleet()
