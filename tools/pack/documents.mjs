// The documents in the package: the README, the pages it links to, and their images. A link to anything else, for example
// the sources, becomes plain text.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

const TOP = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']
const LINK = /(!?)\[([^[\]]*)\]\(([^)#\s]+)((?:#[^)\s]*)?)\)/g
const PICTURE = /\.(png|svg|gif)$/

/** Copies them from `root` into `folder`. */
export function copyDocuments(root, folder) {
  const pages = [...TOP, ...readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)]
  const copy = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (text === undefined) copyFileSync(join(root, path), join(folder, path))
    else writeFileSync(join(folder, path), text)
  }
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    copy(page, text.replace(LINK, (link, picture, words, target) => {
      if (/^[a-z]+:/.test(target)) return link
      const path = posix.join(posix.dirname(page), target)
      if (PICTURE.test(path)) copy(path)
      return PICTURE.test(path) || pages.includes(path) ? link : words
    }))
  }
}
