// A large XML document, parsed in one call.
// asks: /wait /feed
// expects: function=feed line=here kind=javascript request=/feed
// packages: fast-xml-parser@5.2.5
import { XMLParser } from 'fast-xml-parser'
import { serve } from './serve.mjs'

const text = `<items>${Array.from({ length: 60_000 }, (_, id) => `<item id="${id}"><name>name ${id}</name><price>1.5</price></item>`).join('')}</items>`

function feed() {
  return new XMLParser({ ignoreAttributes: false }).parse(text) // here
}

serve({ '/feed': () => feed().items.item.length })
