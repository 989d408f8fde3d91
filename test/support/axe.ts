// What the accessibility checker axe finds in a page. The page's policy must allow it: `bypassCSP`, or a page without one.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const SERIOUS: readonly string[] = ['serious', 'critical']

interface Results {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
}

/** Its findings in one line each: all, or those of these impacts. */
export async function axeFindings(page: Page, impacts: readonly string[] | null = null): Promise<string[]> {
  if (await page.evaluate('typeof axe') === 'undefined') await page.evaluate(SOURCE)
  const { violations } = await page.evaluate('axe.run()') as Results
  return violations.filter(({ impact }) => impacts === null || impacts.includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary.slice(0, 200)}`).slice(0, 3).join(' | ')}`)
}
