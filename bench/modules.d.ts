// What the benchmarks are compared with has package.json and node_modules of its own, which is not always installed.
declare module 'effect'
declare module 'effection'
declare module 'piscina'
