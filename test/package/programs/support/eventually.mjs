// Asks until the answer is right.
export async function eventually(ask, holds) {
  for (let tries = 0; tries < 400; tries++) {
    const answer = await ask()
    if (holds(answer)) return answer
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('it did not come about in 400 looks')
}
