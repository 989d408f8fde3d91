// `loopscope/asgi`: serves ASGI applications that are coroutine functions.
export { serve, type AsgiServer, type ServeOptions } from './server.ts'
export { LifespanFailed, type LifespanMode } from './lifespan.ts'
export { asgi, fastifyAsgi, type MountOptions } from './mount.ts'
export * from './types.ts'
