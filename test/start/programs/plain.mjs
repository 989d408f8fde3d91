// It prints its arguments, and ends by itself.
console.log(JSON.stringify(process.argv.slice(2)))
process.exitCode = 7
