// Builds the live view into dist/ui. It runs by itself after `npm ci`; where Vite or the page's source is not there (an
// install without development dependencies, a packed package) it says so and leaves things as they are.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../ui/', import.meta.url))

async function findVite() {
  try {
    return await import('vite')
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

const vite = await findVite()
if (!existsSync(`${root}index.html`)) console.log('the live view is not built here: its source is not part of this copy')
else if (vite === null) console.log('the live view is not built here: that takes the development dependencies')
else await vite.build({ root, configFile: `${root}vite.config.ts`, logLevel: 'warn' })
