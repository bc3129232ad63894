// The time, to the minute: what is asked changes with it only where the day does.
import { useEffect, useState } from 'preact/hooks'

export const useNow = (everyMs = 60_000) => {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
