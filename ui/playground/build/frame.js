// The only script of the sealed document. It starts the playground's thread, which can reach nothing, ends it, and reports
// when it is ready for another. The document's policy allows only this script, by its hash. It loads and stores nothing.
let worker = null
let address = ''

addEventListener('message', ({ source, data, ports }) => {
  if (source !== parent) return
  worker?.terminate()
  worker = null
  URL.revokeObjectURL(address)
  if (data.type !== 'start') {
    parent.postMessage('ready', '*')
    return
  }
  // WebKit takes the thread's origin from this address as long as the thread lives: without it, nothing can be imported there.
  address = URL.createObjectURL(new Blob([data.thread], { type: 'text/javascript' }))
  worker = new Worker(address, { name: 'playground' })
  worker.postMessage(data.message, ports)
})

parent.postMessage('ready', '*')
