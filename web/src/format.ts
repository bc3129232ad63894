// Numbers and times as people read them. Which zone: the one that the question was asked in.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** Readers are told words in place of some numbers: no number is no number. */
export const count = (n: number | null | undefined) =>
  typeof n != 'number' ? '–' : Number.isInteger(n) ? whole.format(n) : decimal.format(n)
export const brief = (n: number) => (Math.abs(n) < 10_000 ? decimal.format(n) : short.format(n))
export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n == 1 ? one : many}`

/** 42.8 MB: by thousands, as disks are sold. */
export const bytes = (n: number | null | undefined): string => {
  if (n === null || n === undefined) return '–'
  if (n < 1000) return `${n} B`
  let at = -1
  do {
    n /= 1000
    at++
  } while (n >= 999.5 && at < 4)
  return `${n < 9.95 ? n.toFixed(1) : n.toFixed(0)} ${'kMGTP'[at]}B`
}

/** 0.4337 is 43.4 %; what is not nothing and not everything is never told as 0 or 100. */
export const share = (x: number | null | undefined) => {
  if (x === null || x === undefined || !Number.isFinite(x)) return '–'
  const percent = x * 100
  if (percent > 0 && percent < 0.1) return '<0.1 %'
  if (percent < 100 && percent > 99.9) return '>99.9 %'
  return `${percent >= 99.95 || percent == 0 ? percent.toFixed(0) : percent.toFixed(1)} %`
}

/** How much more or less than before: +12 %, −3 %; '' where there were too few to compare with. */
export const change = (now: number, before: number): string => {
  if (before < FEW || now > 10 * before) return ''
  const percent = Math.round((100 * (now - before)) / before)
  return percent == 0 && now != before ? (now > before ? '+<1 %' : '−<1 %') : signed(percent) + ' %'
}
/** Of fewer than so many no share is told. */
export const FEW = 10
/** In points of a hundred, for shares: +1.4 points. */
export const points = (now: number, before: number): string => {
  const moved = Math.round((now - before) * 1000) / 10
  return `${signed(moved)} ${Math.abs(moved) == 1 ? 'point' : 'points'}`
}
const signed = (n: number) => (n > 0 ? '+' : n < 0 ? '−' : '±') + Math.abs(n)

/** In two units at most: 1 d 4 h, 3 min 20 s, 850 ms. */
export const duration = (ms: number | null | undefined): string => {
  if (typeof ms != 'number') return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  const pair = (big: number, bigName: string, rest: number, name: string) =>
    rest ? `${big} ${bigName} ${rest} ${name}` : `${big} ${bigName}`
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's')
  const min = Math.round(s / 60)
  if (min < 1440) return pair(Math.floor(min / 60), 'h', min % 60, 'min')
  const h = Math.round(min / 60)
  return pair(Math.floor(h / 24), 'd', h % 24, 'h')
}

const cache = new Map<string, Intl.DateTimeFormat>()
const dates = (zone: string, options: Intl.DateTimeFormatOptions) => {
  const key = zone + JSON.stringify(options)
  let made = cache.get(key)
  if (!made) cache.set(key, (made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options })))
  return made
}

export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
export const isZone = (zone: string) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

const parts = (at: Date, zone: string) => {
  const found: Record<string, string> = {}
  const wanted = dates(zone, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  for (const part of wanted.formatToParts(at)) found[part.type] = part.value
  return found
}

/** 2026-11-29: the day of an instant in a zone. */
export const isoDay = (at: Date, zone: string) => {
  const p = parts(at, zone)
  return `${p.year}-${p.month}-${p.day}`
}
/** 2026-11-29 14:03:22 */
export const instant = (text: string | null | undefined, zone: string) => {
  if (!text) return '–'
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) return text
  const p = parts(at, zone)
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`
}
export const clock = (text: string, zone: string, withMs = false) => {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) return text
  const p = parts(at, zone)
  return `${p.hour}:${p.minute}:${p.second}` + (withMs ? '.' + String(at.getUTCMilliseconds()).padStart(3, '0') : '')
}
/** What a bucket is called under a picture. */
export const bucketName = (text: string, unit: string, zone: string) => {
  if (unit == 'period') return text
  const at = new Date(text)
  if (unit == 'hour')
    return dates(zone, { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
  if (unit == 'month') return dates(zone, { month: 'short', year: 'numeric' }).format(at)
  if (unit == 'quarter') return `Q${Math.floor((Number(parts(at, zone).month) - 1) / 3) + 1} ${parts(at, zone).year}`
  return dates(zone, { day: 'numeric', month: 'short' }).format(at)
}
export const bucketTitle = (text: string, unit: string, zone: string) => {
  if (unit == 'period') return 'Period ' + text
  const at = new Date(text)
  if (unit == 'day')
    return dates(zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(at)
  if (unit == 'week') return 'Week of ' + dates(zone, { day: 'numeric', month: 'short', year: 'numeric' }).format(at)
  if (unit == 'hour')
    return dates(zone, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).format(at)
  return bucketName(text, unit, zone)
}

/** "3 min ago", and after two days the date. */
export const ago = (text: string | null | undefined, now: number, zone: string) => {
  if (!text) return 'never'
  const ms = now - new Date(text).getTime()
  if (ms < 0 || ms > 48 * 3_600_000) return instant(text, zone).slice(0, 16)
  if (ms < 5000) return 'just now'
  return (
    duration(
      ms < 3_600_000
        ? Math.floor(ms / (ms < 60_000 ? 1000 : 60_000)) * (ms < 60_000 ? 1000 : 60_000)
        : Math.floor(ms / 3_600_000) * 3_600_000,
    ) + ' ago'
  )
}
