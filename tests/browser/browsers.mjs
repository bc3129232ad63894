// Starts Debian's Chromium for the tests, or its Firefox with BROWSER=firefox.
import { chromium, firefox } from 'playwright-core'

export const isFirefox = process.env.BROWSER == 'firefox'
const HOSTS = ['rdio.test', 'www.rdio.test', 'shop.rdio.test', 'app.rdio.test']

const chromiumOptions = {
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
// Over WebDriver BiDi, which every Firefox speaks; Playwright's own protocol wants a Firefox of its own.
const firefoxOptions = {
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  channel: 'moz-firefox',
  headless: true,
  firefoxUserPrefs: { 'network.dns.localDomains': HOSTS.join() },
}

/** Gives the browser; `kill`, which ends it whatever state it is in; `signal`, for all of its processes. */
export const startBrowser = async (more = {}) => {
  if (isFirefox) {
    const firefoxUserPrefs = { ...firefoxOptions.firefoxUserPrefs, ...more.firefoxUserPrefs }
    const browser = await firefox.launch({ ...firefoxOptions, ...more, firefoxUserPrefs })
    return { browser, signal: () => {}, kill: () => browser.close() }
  }
  const server = await chromium.launchServer({ ...chromiumOptions, ...more })
  const browser = await chromium.connect(server.wsEndpoint())
  // Chromium and all of its processes are a group of their own.
  const signal = (name) => process.kill(-server.process().pid, name)
  return { browser, signal, kill: () => server.kill() }
}

/** A Chromium of its own with the profile in that folder: its one context. */
export const startProfile = (folder) => chromium.launchPersistentContext(folder, chromiumOptions)
