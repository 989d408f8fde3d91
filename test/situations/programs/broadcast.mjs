// A message for 200 WebSockets, made into JSON again for each.
// asks: ws:/
// expects: function=broadcast line=here kind=javascript
// packages: ws@8.18.3
import { WebSocketServer } from 'ws'
import { serve } from './serve.mjs'

const state = Array.from({ length: 3000 }, (_, id) => ({ id, x: Math.random(), y: Math.random(), name: `piece ${id}` }))
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })

function broadcast() {
  for (let client = 0; client < 400; client++) {
    const text = JSON.stringify(state) // here
    for (const socket of server.clients) if (client < 2) socket.send(text)
  }
}

server.on('listening', () => console.log(`listening ${server.address().port}`))
server.on('connection', (socket) => socket.on('message', broadcast))
void serve
