// Streams and subprocesses on Node: the names of asyncio that need sockets, pipes and processes.
export { openConnection, openUnixConnection, type ConnectionOptions, type UnixConnectionOptions } from './connection.ts'
export { Server, startServer, startUnixServer, type ClientConnected, type ListeningSocket, type ServerOptions, type UnixServerOptions } from './server.ts'
export { createSubprocessExec, createSubprocessShell, Process, type Stdio, type SubprocessOptions } from './subprocess.ts'
export type { SocketName } from './socket-transport.ts'
