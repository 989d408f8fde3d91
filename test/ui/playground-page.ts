// What the tests of the playground do with its page, and read from it.
import { deflateRawSync } from 'node:zlib'
import type { Page } from 'playwright-core'

/** The letters of a link, made as a stranger would make them. */
export function letters(program: unknown): string {
  return deflateRawSync(typeof program === 'string' ? program : JSON.stringify(program)).toString('base64url')
}

export interface Linked {
  clock?: 'real' | 'virtual'
  /** Left out, as in links from before Python could be chosen. */
  language?: 'typescript' | 'python'
}

export const linkTo = (code: string, { clock = 'real', ...language }: Linked = {}): string => `#view=playground&program=${letters({ ...language, code, clock, until: 60 })}`

/** Another program in the open page, as when its link is put into the address bar: TypeScript and CPython stay loaded. */
export async function follow(page: Page, code: string, linked: Linked = {}): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(linkTo(code, linked))}`)
  await page.locator('.pg-arrival.good').waitFor()
  await page.getByRole('button', { name: 'Understood' }).click()
}

export const choose = (page: Page, language: 'TypeScript' | 'Python'): Promise<void> => page.getByRole('radio', { name: language }).check()
export const run = (page: Page): Promise<void> => page.getByRole('button', { name: /^Run/ }).click()
export const status = (page: Page): Promise<string> => page.locator('.pg-status').innerText()
export const code = (page: Page): Promise<string> => page.locator('.cm-content').innerText()
export const lines = (page: Page): Promise<string[]> => page.locator('.pg-lines .pg-text').allInnerTexts()
export const timed = (page: Page): Promise<string[]> => page.locator('.pg-lines li').evaluateAll((items) => items.map((item) => (item as unknown as { textContent: string }).textContent.replace(/\s+/g, ' ').trim()))
export const problems = (page: Page): Promise<string[]> => page.locator('.pg-troubles button').allInnerTexts()
