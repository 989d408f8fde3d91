// It waits for a signal, and handles none.
setInterval(() => {}, 1000)
console.log('ready')
