// Where the server begins. V8 doubles the space for new objects, up to 32 MB a thread, whenever that much has survived in it. At a
// start nearly all survives, and a server at rest never shrinks the space again: so it grows from when the server listens.
// That is set before anything else is loaded. From the command line, V8 does not accept this factor.
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--semi-space-growth-factor=1')
await import('./serve.ts')
setFlagsFromString('--semi-space-growth-factor=2')
