// The packages that the benchmarks are compared with are in a separate node_modules, which is not always installed.
declare module 'effect'
declare module 'effection'
declare module 'piscina'
