// TypeScript that needs its types stripped, and nothing else.
const answer: number = 42
console.log(answer)

export {}
