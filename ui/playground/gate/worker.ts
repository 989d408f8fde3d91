// The gate's own thread: a program's messages are unpacked here, so they can overload this thread but never the page's. It
// may be terminated at any time.
import type { FromGate, ToGate } from '../messages.ts'
import { Gate } from './gate.ts'

let gate: Gate | null = null

addEventListener('message', ({ data, ports }: MessageEvent<ToGate>) => {
  if (data.type === 'open') {
    const [port] = ports as [MessagePort]
    const made = new Gate((message) => port.postMessage(message), (message: FromGate) => postMessage(message), () => port.close())
    port.onmessage = (event: MessageEvent<unknown>) => made.hear(event.data)
    gate = made
  } else if (data.type === 'more') gate?.more()
  else if (data.type === 'ping') gate?.ping(data.count)
  else if (data.type === 'close') gate?.close()
  else gate?.pass(data)
})
