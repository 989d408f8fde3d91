// Waits for a condition.

/** Waits until `condition` is true; returns false after many checks. */
export async function eventually(condition: () => boolean | Promise<boolean>, looks = 3000): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}
