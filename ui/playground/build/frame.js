// The only script of the sealed document: it starts the playground's thread where a program can reach nothing, and ends
// it, and says that it is ready for another. It is a script of its own hash, so that the document needs no other source; it loads nothing and keeps nothing.
let worker = null

addEventListener('message', ({ source, data, ports }) => {
  if (source !== parent) return
  worker?.terminate()
  worker = null
  if (data.type !== 'start') {
    parent.postMessage('ready', '*')
    return
  }
  const address = URL.createObjectURL(new Blob([data.thread], { type: 'text/javascript' }))
  worker = new Worker(address, { name: 'playground' })
  URL.revokeObjectURL(address)
  worker.postMessage(data.message, ports)
})

parent.postMessage('ready', '*')
