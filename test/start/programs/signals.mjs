// It says which signals it gets, ends at the third, and ignores no other.
let times = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2']) {
  process.on(signal, () => {
    console.log(signal)
    if (++times === 3) process.exit(4)
  })
}
setInterval(() => {}, 1000)
console.log('ready')
