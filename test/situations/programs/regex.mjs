// A regular expression with nested quantifiers, on a name that nearly matches.
// asks: /wait /validate
// expects: function=validate line=here kind=javascript,native request=/validate
import { serve } from './serve.mjs'

const NAMES = /^([a-z]+)+$/

function validate() {
  return NAMES.test(`${'a'.repeat(25)}!`) // here
}

serve({ '/validate': () => validate() })
