// The sign-up funnel that Home shows until somebody has chosen the steps: a guess from the names of the events that
// there are, told as one.
import type { EventList } from './api'

const SIGNUP = /sign(ed)?[\s_-]?up|account[\s_-]?created|regist(er|ered|ration)|user[\s_-]?created|joined/i
const VIEW = /view|seen|shown|start|open|click|form/i

export const guessSteps = (all: EventList): string[] => {
  const tracks = all.events.filter((one) => one.type == 'track' && one.name)
  const paths = all.properties.some((one) => one.field == 'properties.path' || one.field == 'context.page.path')
  const done = tracks.find((one) => SIGNUP.test(one.name!) && !VIEW.test(one.name!))
  const seen = tracks.find((one) => SIGNUP.test(one.name!) && VIEW.test(one.name!))
  const pages = all.properties.flatMap((one) => (/\.path$/.test(one.field) ? one.examples : []))
  const page = pages.find((path): path is string => typeof path == 'string' && /sign-?_?up|regist|join/i.test(path))
  const first =
    paths || all.events.some((one) => one.type == 'page')
      ? 'page:*'
      : all.events.some((one) => one.type == 'screen')
        ? 'screen:*'
        : null
  const middle = seen?.event ?? (page ? 'page:' + page : null)
  const last = done?.event ?? (all.events.some((one) => one.type == 'identify') ? 'identify' : null)
  const steps = [first, middle, last].filter((step): step is string => !!step)
  return steps.length ? [...new Set(steps)] : all.events.slice(0, 2).map((one) => one.event)
}
