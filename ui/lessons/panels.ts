// The lessons as parts of the page: the program behind the lanes, and a page of riddles and experiments.
import { panelOf, registerPanel } from '../panels.ts'
import { LessonsView } from './LessonsView.tsx'
import { ProgramPanel } from './ProgramPanel.tsx'
import './lessons.css'

registerPanel({ id: 'program', title: 'Program', needs: 'examples', order: 5, mount: panelOf(ProgramPanel) })
registerPanel({ id: 'lessons', title: 'Lessons', needs: 'examples', place: 'view', order: 30, mount: panelOf(LessonsView) })
