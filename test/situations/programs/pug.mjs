// A template that is compiled again for each request, and rendered.
// asks: /wait /menu
// expects: function=menu line=here kind=javascript request=/menu
// packages: pug@3.0.3
import pug from 'pug'
import { serve } from './serve.mjs'

const template = `ul\n${Array.from({ length: 1200 }, (_, at) => `  li(class="a${at}"): a(href="#${at}") entry ${at} of #{name}`).join('\n')}\n`

function menu() {
  return pug.render(template, { name: 'the menu' }) // here
}

serve({ '/menu': () => menu().length })
