// Runs the chat: `node dist/examples/programs/chat/main.js [PORT]`, and `nc 127.0.0.1 PORT` to take part. Ctrl-C says goodbye to all.
import { KeyboardInterrupt, print, run } from '../../../src/index.ts'
import { Chat } from './server.ts'

const chat = new Chat({ port: Number(process.argv[2] ?? 0) })
try {
  await run(chat.run((port) => print(`the chat listens on 127.0.0.1:${port}`)))
} catch (error) {
  if (!(error instanceof KeyboardInterrupt)) throw error
  print('closed')
}
