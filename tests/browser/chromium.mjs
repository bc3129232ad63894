// Starts Debian's Chromium for the tests.
import { chromium } from 'playwright-core'

const options = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // A renderer kept ready for the next site would be one more process for each page.
    '--disable-features=SpareRendererForSitePerProcess',
    '--host-resolver-rules=MAP *.rdio.test 127.0.0.1, MAP rdio.test 127.0.0.1',
  ],
}

/** Gives the browser; `kill`, which ends it whatever state it is in; `signal`, for all of its processes. */
export const startChromium = async (more = {}) => {
  const server = await chromium.launchServer({ ...options, ...more })
  const browser = await chromium.connect(server.wsEndpoint())
  // Chromium and all of its processes are a group of their own.
  const signal = (name) => process.kill(-server.process().pid, name)
  return { browser, signal, kill: () => server.kill() }
}
