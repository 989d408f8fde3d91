// Example 3 without its last await, run in the playground's thread: a program of the page, not of the server.

/** The lines that it prints, with their times in virtual seconds. */
export async function withoutLastAwait(): Promise<{ text: string; t: number }[]> {
  const [{ runOnce }, { starters }] = await Promise.all([import('../playground/run-once.ts'), import('../playground/examples.ts')])
  const code = starters.find(({ number }) => number === 3)?.code ?? ''
  const shortened = code.replace(/\n\s*yield\* task2(?=\n)/, '')
  if (shortened === code) throw new Error('Example 3 has no last await to take out.')
  return runOnce(shortened)
}
