// Another program, waited for synchronously.
// asks: /wait /version
// expects: function=version line=here kind=system-call request=/version
import { execSync } from 'node:child_process'
import { serve } from './serve.mjs'

function version() {
  return execSync('sleep 0.8; echo 1.2.3') // here
}

serve({ '/version': () => version() })
