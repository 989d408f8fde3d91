// A large module that the first request loads.
// asks: /wait /render
// expects: function=render line=here kind=javascript,native,system-call request=/render
// packages: typescript@5.9.3
import { createRequire } from 'node:module'
import { serve } from './serve.mjs'

const require = createRequire(import.meta.url)

function render() {
  return require('typescript').version // here
}

serve({ '/render': () => render() })
