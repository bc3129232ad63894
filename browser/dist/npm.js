/*! Onym browser library, MIT */

// src/args.ts
var isPlain = (value) => Object.prototype.toString.call(value) == "[object Object]";
var isText = (value) => typeof value == "string" || typeof value == "number";
var readArgs = (args, textCount) => {
  const rest = [...args];
  const callbackAt = rest.findIndex((value) => typeof value == "function");
  const callback = callbackAt < 0 ? void 0 : rest.splice(callbackAt)[0];
  const texts = [];
  while (texts.length < textCount && rest.length && !isPlain(rest[0])) {
    const value = rest.shift();
    texts.push(isText(value) ? "" + value : void 0);
  }
  const [data, options] = rest;
  return { texts, data: isPlain(data) ? data : {}, options: isPlain(options) ? options : {}, callback };
};

// src/consent.ts
var isRefusedBySignal = (options) => {
  const signals = navigator;
  return !!(options.respectDNT && signals.doNotTrack == "1" || options.respectGPC && signals.globalPrivacyControl);
};

// src/context.ts
var VERSION = "1.0.0";
var readPage = (referrer = document.referrer) => {
  const canonical = document.querySelector("link[rel=canonical]")?.getAttribute("href");
  return makePage(canonical, location.pathname, location.href, location.search, document.title, referrer);
};
var makePage = (canonical, path, url, search, title, referrer) => {
  url = url.split("#")[0];
  if (canonical) {
    url = canonical.includes("?") ? canonical : canonical + search;
    try {
      path = new URL(canonical).pathname;
    } catch {
      path = canonical[0] == "/" ? canonical : "/" + canonical;
    }
  }
  return { path, referrer, search, title, url };
};
var readParams = (search) => Object.fromEntries(new URLSearchParams(search));
var readCampaign = (search) => {
  const campaign = {};
  for (const [key, value] of Object.entries(readParams(search))) {
    if (key.startsWith("utm_")) campaign[key == "utm_campaign" ? "name" : key.slice(4)] = value;
  }
  return campaign;
};
var makeContextReader = (options) => {
  const agent = navigator.userAgentData;
  let agentData = agent && { brands: agent.brands, mobile: agent.mobile, platform: agent.platform };
  if (agent && options.highEntropyValuesClientHints) {
    agent.getHighEntropyValues(options.highEntropyValuesClientHints).then((data) => agentData = data, () => {
    });
  }
  return (page) => ({
    page,
    userAgent: navigator.userAgent,
    userAgentData: agentData,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    campaign: page.search ? readCampaign(page.search) : void 0,
    library: { name: "onym.js", version: VERSION }
  });
};

// src/mark.ts
var lastAt = 0;
var count = 0;
var uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  let text = "";
  bytes.forEach((byte, index) => {
    text += (index > 3 && index < 11 && index % 2 == 0 ? "-" : "") + (byte + 256).toString(16).slice(1);
  });
  return text;
};
var mark = (now = Date.now()) => {
  count = now > lastAt ? 0 : count + 1;
  lastAt = Math.max(now, lastAt);
  return { at: lastAt, id: lastAt + ("000" + count).slice(-4) + "-" + uuid() };
};
var markTime = (id) => +id.slice(0, 13);

// src/cookie.ts
var readCookie = (name) => {
  for (const pair of document.cookie.split("; ")) {
    if (pair.startsWith(name + "=")) {
      const text = pair.slice(name.length + 1);
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    }
  }
  return null;
};
var writeCookie = (name, value, options, domain) => {
  document.cookie = name + "=" + encodeURIComponent(value ?? "") + ";path=" + (options.path ?? "/") + ";max-age=" + (value === null ? 0 : (options.maxage ?? 365) * 86400) + ";samesite=" + (options.sameSite ?? "Lax") + (domain ? ";domain=" + domain : "") + (options.secure ? ";secure" : "");
};
var findCookieDomain = (host) => {
  const labels = host.split(".");
  if (/^\d+$|:/.test(labels[labels.length - 1])) return void 0;
  for (let start = labels.length - 2; start >= 0; start--) {
    const domain = labels.slice(start).join(".");
    writeCookie("__tld__", "1", {}, domain);
    const sticks = readCookie("__tld__");
    writeCookie("__tld__", null, {}, domain);
    if (sticks) return domain;
  }
  return void 0;
};

// src/storage.ts
var webStorage = (name) => {
  try {
    const storage = window[name];
    storage.setItem("__onym__", "1");
    storage.removeItem("__onym__");
    return storage;
  } catch {
    return null;
  }
};
var unquote = (text) => {
  if (text && text[0] == '"') {
    try {
      return JSON.parse(text);
    } catch {
    }
  }
  return text;
};
var makeCookieStore = (options, domain) => {
  const store = {
    get: (key) => unquote(readCookie(key)) || null,
    set: (key, text) => writeCookie(key, text, options, domain)
  };
  store.set("__tld__", "1");
  const works = store.get("__tld__");
  store.set("__tld__", null);
  return works ? store : null;
};
var makeLocalStore = () => {
  const storage = webStorage("localStorage");
  return storage && {
    get: (key) => unquote(storage.getItem(key)) || null,
    set(key, text, isJson) {
      try {
        if (text === null) storage.removeItem(key);
        else storage.setItem(key, isJson ? text : JSON.stringify(text));
      } catch {
      }
    }
  };
};
var makeMemoryStore = () => {
  const values = /* @__PURE__ */ new Map();
  return {
    get: (key) => values.get(key) ?? null,
    set(key, text) {
      if (text === null) values.delete(key);
      else values.set(key, text);
    }
  };
};
var openStores = (options, memory) => {
  if (options.disableClientPersistence) return { cookie: null, localStorage: null, memory };
  const domain = options.cookie?.domain ?? findCookieDomain(location.hostname);
  return { cookie: makeCookieStore(options.cookie ?? {}, domain), localStorage: makeLocalStore(), memory, domain };
};

// src/lock.ts
var LEASE_MS = 2e4;
var SETTLE_MS = 30;
var pause = (delay_ms) => new Promise((resolve2) => setTimeout(resolve2, delay_ms));
var withLease = async (storage, name, job) => {
  const own = uuid();
  const holder = () => (storage.getItem(name) ?? "").split("|");
  for (; ; ) {
    const [owner, until] = holder();
    if (!owner || +until < Date.now() || +until > Date.now() + LEASE_MS) {
      storage.setItem(name, own + "|" + (Date.now() + LEASE_MS));
      await pause(SETTLE_MS * (1 + Math.random()));
      if (holder()[0] == own) break;
    }
    await pause(SETTLE_MS * (1 + Math.random()) * 4);
  }
  const renewal = setInterval(() => storage.setItem(name, own + "|" + (Date.now() + LEASE_MS)), LEASE_MS / 4);
  const release = () => {
    if (holder()[0] == own) storage.removeItem(name);
  };
  addEventListener("pagehide", release);
  await job();
  clearInterval(renewal);
  removeEventListener("pagehide", release);
  release();
};
var oneTabAtATime = (name, job) => {
  const storage = webStorage("localStorage");
  if (!storage) return job();
  let began = false;
  const once = () => {
    began = true;
    return job();
  };
  const byLease = async () => {
    if (!began) await withLease(storage, name, once).catch(once);
  };
  return navigator.locks ? navigator.locks.request(name, once).catch(byLease) : byLease();
};

// src/delivery.ts
var BATCH_COUNT = 100;
var BATCH_LENGTH = 16e4;
var KEEPALIVE_LENGTH = 2e4;
var BACKOFF_MS = 500;
var BACKOFF_MAX_MS = 6e4;
var RETRY_AFTER_MAX_S = 300;
var ABANDONED_MS = 1e4;
var UNREADY = "~";
var makeDelivery = (queue, options) => {
  let isBusy = false;
  let isLeaving = false;
  let timer = 0;
  let attempts = 0;
  let countMax = BATCH_COUNT;
  let underWay = [];
  const unfinished = /* @__PURE__ */ new Set();
  const take = (countMax2, lengthMax) => {
    const ids = [];
    const texts = [];
    let length = 0;
    for (const id of queue.list()) {
      const text = queue.get(id);
      if (!text) continue;
      if (text[0] == UNREADY) {
        if (!unfinished.has(id)) adopt(id, text);
        break;
      }
      length += text.length;
      if (ids.length && (length > lengthMax || ids.length == countMax2)) break;
      ids.push(id);
      texts.push(text);
    }
    const head = JSON.stringify({ writeKey: options.writeKey, sentAt: /* @__PURE__ */ new Date() });
    return { ids, body: head.slice(0, -1) + ',"batch":[' + texts + "]}" };
  };
  const adopt = (id, text) => {
    const wait_ms = markTime(id) + ABANDONED_MS - Date.now();
    unfinished.add(id);
    setTimeout(() => {
      unfinished.delete(id);
      if (queue.get(id) == text) options.finish(id, text.slice(1));
      wake();
    }, wait_ms);
  };
  const post = async ({ ids, body }) => {
    const keepalive = body.length < KEEPALIVE_LENGTH;
    if (keepalive) underWay = ids;
    try {
      const answer = await fetch(options.url, {
        method: "POST",
        body,
        keepalive,
        signal: AbortSignal.timeout?.(LEASE_MS - 1e3)
      });
      return [answer.status, +answer.headers.get("retry-after") || 0];
    } catch {
      return [0, 0];
    } finally {
      underWay = [];
    }
  };
  const later = (retryAfter_s) => {
    const backoff_ms = Math.min(BACKOFF_MS * 2 ** attempts++, BACKOFF_MAX_MS) * (0.5 + Math.random() / 2);
    const delay_ms = retryAfter_s ? Math.min(retryAfter_s, RETRY_AFTER_MAX_S) * 1e3 : backoff_ms;
    timer = window.setTimeout(() => {
      timer = 0;
      wake();
    }, delay_ms);
  };
  const drain = async () => {
    while (options.isOpen()) {
      const batch = take(countMax, BATCH_LENGTH);
      if (!batch.ids.length) break;
      const [status, retryAfter_s] = await post(batch);
      if (status >= 200 && status < 300) {
        attempts = 0;
        countMax = BATCH_COUNT;
      } else if (!status || status >= 500 || [408, 410, 429, 460].includes(status)) {
        later(retryAfter_s);
        break;
      } else if (batch.ids.length > 1) {
        countMax = batch.ids.length >> 1;
        continue;
      } else {
        options.onRefused(batch.ids, status);
      }
      batch.ids.forEach(queue.remove);
    }
    isBusy = false;
  };
  const wake = () => {
    if (isLeaving) return flushLeaving();
    if (isBusy || timer || !options.isOpen()) return;
    isBusy = true;
    void oneTabAtATime("onym:" + options.writeKey, drain);
  };
  const flushLeaving = () => {
    if (!options.isOpen()) return;
    const { ids, body } = take(BATCH_COUNT, KEEPALIVE_LENGTH);
    if (ids.some((id) => !underWay.includes(id)) && navigator.sendBeacon?.(options.url, body)) underWay = ids;
  };
  addEventListener("pagehide", () => {
    isLeaving = true;
    flushLeaving();
  });
  addEventListener("pageshow", () => {
    isLeaving = false;
    wake();
  });
  addEventListener("online", () => {
    clearTimeout(timer);
    timer = attempts = 0;
    wake();
  });
  return { wake, unfinished };
};

// src/emitter.ts
var makeEmitter = () => {
  let listeners = [];
  return {
    on(name, listener, isOnce) {
      listeners.push([name, listener, isOnce]);
    },
    off(name, listener) {
      listeners = listeners.filter((entry) => entry[0] != name || listener && entry[1] != listener);
    },
    emit(name, ...args) {
      for (const entry of listeners.filter((entry2) => entry2[0] == name)) {
        if (entry[2]) listeners = listeners.filter((other) => other != entry);
        try {
          entry[1](...args);
        } catch (error) {
          console.error(error);
        }
      }
    }
  };
};

// src/host.ts
var apiBase = (options, home) => {
  const segment = options.integrations?.["Segment.io"];
  const host = options.apiHost ?? segment?.apiHost ?? home ?? location.origin;
  const scheme = segment?.protocol ?? home?.split(":")[0] ?? "https";
  const url = (host.includes("//") ? host : scheme + "://" + host).replace(/\/$/, "");
  return url.endsWith("/v1") || host == segment?.apiHost ? url : url + "/v1";
};

// src/identity.ts
var isObject = (value) => !!value && typeof value == "object";
var makeVisitor = (stores, options, isOpen) => {
  const pick = (entity, ...names) => {
    const wanted = entity?.storage?.stores ?? options.storage?.stores ?? names;
    const found = entity?.persist === false ? [] : names.filter((name) => wanted.includes(name)).flatMap((name) => stores[name] ?? []);
    return () => found.length && isOpen() ? found : [stores.memory];
  };
  const makeSlot = (key, chosen, isJson) => {
    const slot = {
      key,
      get() {
        const texts = chosen().map((store) => store.get(key));
        const text = texts.find(Boolean) ?? null;
        chosen().forEach((store, index) => text && texts[index] != text && store.set(key, text, isJson));
        return text;
      },
      set: (text) => chosen().forEach((store) => store.set(key, text, isJson)),
      open() {
        const stored = slot.get();
        const text = stored ?? stores.memory.get(key);
        if (text && !(stored && options.serverCookie)) slot.set(text);
      }
    };
    return slot;
  };
  const makeEntity = (id, traits, renew) => {
    const entity = {
      id(value) {
        settle();
        if (value !== void 0) {
          const before = id.get();
          const after = value === null ? null : "" + value;
          id.set(after || null);
          if (before !== null && after !== null && after != before) renew();
        }
        return id.get();
      },
      traits(value) {
        settle();
        if (value !== void 0) traits.set(JSON.stringify(value ?? {}));
        try {
          const stored = JSON.parse(traits.get());
          return isObject(stored) ? stored : {};
        } catch {
          return {};
        }
      },
      identify(value, added) {
        const before = entity.id();
        const merged = { ...(before === null || value == null || before == value) && entity.traits(), ...added };
        if (value != null) entity.id(value);
        entity.traits(merged);
      },
      reset() {
        id.set(null);
        traits.set(null);
        renew();
      },
      logout: () => entity.reset(),
      save: () => true,
      load: () => entity
    };
    return entity;
  };
  const idStores = pick(options.user, "cookie", "localStorage");
  const anonymousId = makeSlot("ajs_anonymous_id", idStores);
  const userId = makeSlot(options.user?.cookie?.key ?? "ajs_user_id", idStores);
  const userTraits = makeSlot(
    options.user?.localStorage?.key ?? "ajs_user_traits",
    pick(options.user, "localStorage"),
    true
  );
  const groupId = makeSlot(options.group?.cookie?.key ?? "ajs_group_id", pick(options.group, "cookie", "localStorage"));
  const groupTraits = makeSlot(
    options.group?.localStorage?.key ?? "ajs_group_properties",
    pick(options.group, "localStorage"),
    true
  );
  const slots = [anonymousId, userId, userTraits, groupId, groupTraits];
  const settle = () => {
    const [cookie, local] = idStores();
    const shared = cookie.get(anonymousId.key);
    const own = local && local.get(anonymousId.key);
    if (shared && own && shared != own) {
      slots.forEach((slot) => local.set(slot.key, null));
      anonymousId.set(shared);
    }
  };
  const user = {
    ...makeEntity(userId, userTraits, () => anonymousId.set(uuid())),
    anonymousId(value) {
      settle();
      if (value !== void 0) anonymousId.set(value);
      if (value !== null && !anonymousId.get()) anonymousId.set(uuid());
      return anonymousId.get();
    }
  };
  return {
    user,
    group: makeEntity(groupId, groupTraits, () => {
    }),
    open() {
      settle();
      slots.forEach((slot) => slot.open());
    },
    forget: () => slots.forEach((slot) => slot.set(null))
  };
};

// src/links.ts
var resolve = (value, element) => typeof value == "function" ? value(element) : value;
var makeTracker = (track, domEvent) => (targets, event, properties, options) => {
  const elements = !targets ? [] : targets instanceof Element ? [targets] : Array.from(targets);
  elements.forEach((element) => {
    const onEvent = () => {
      track(resolve(event, element), resolve(properties, element) ?? {}, options);
    };
    const jQuery = window.jQuery;
    if (jQuery && domEvent == "submit") jQuery(element).on(domEvent, onEvent);
    else element.addEventListener(domEvent, onEvent);
  });
};

// src/sooner.ts
var isPromise = (value) => !!value && typeof value.then == "function";
var sooner = (value, next) => isPromise(value) ? value.then(next) : next(value);
var chain = (value, steps, index = 0) => value !== null && index < steps.length ? sooner(steps[index](value), (result) => chain(result, steps, index + 1)) : value;

// src/pipeline.ts
var CANCELLED = {};
var makeContext = (event) => ({
  id: event.messageId,
  event,
  updateEvent(path, value) {
    const keys = path.split(".");
    const last = keys.pop();
    let target = this.event;
    for (const key of keys) target = target[key] ?? (target[key] = {});
    target[last] = value;
    return this.event;
  },
  cancel() {
    throw CANCELLED;
  }
});
var clone = (value) => JSON.parse(JSON.stringify(value));
var throughMiddleware = (run, event) => {
  let passed = null;
  return sooner(
    run({ obj: event }, (payload) => {
      passed = payload && payload.obj;
    }),
    () => passed
  );
};
var isEnabled = (integrations, name) => integrations[name] ?? integrations.All ?? true;
var makePipeline = (report) => {
  let registered = [];
  const steps = [];
  const destinationMiddleware = [];
  const destinationNames = () => Object.fromEntries(registered.filter((r) => r.plugin.type == "destination").map((r) => [r.plugin.name, true]));
  const guarded = (step, isStrict) => (context) => {
    const failed = (error) => {
      if (error != CANCELLED) report(error);
      return isStrict || error == CANCELLED ? null : context;
    };
    try {
      const result = step(context);
      return result && "then" in result ? result.then(null, failed) : result;
    } catch (error) {
      return failed(error);
    }
  };
  const pluginStep = (entry) => (context) => sooner(entry.loading, () => sooner(entry.plugin[context.event.type]?.(context), (result) => result || context));
  const ofType = (type) => registered.filter((entry) => entry.plugin.type == type).map((entry) => guarded(pluginStep(entry), type == "before"));
  const deliverTo = (entry, event) => {
    const { name } = entry.plugin;
    if (!isEnabled(event.integrations, name)) return;
    const middleware = destinationMiddleware.filter(([target]) => target == "*" || target.toLowerCase() == name.toLowerCase()).map(
      ([, run]) => (context) => sooner(
        throughMiddleware((payload, next) => run({ payload, integration: name, next }), context.event),
        (passed) => passed && makeContext(passed)
      )
    );
    void chain(makeContext(clone(event)), [...middleware, pluginStep(entry)].map((step) => guarded(step, true)));
  };
  return {
    addSourceMiddleware(run) {
      steps.push(
        guarded(
          (context) => sooner(
            throughMiddleware(
              (payload, next) => run({ payload, integrations: destinationNames(), next }),
              context.event
            ),
            (passed) => passed && Object.assign(context, { event: passed })
          ),
          true
        )
      );
    },
    addDestinationMiddleware(name, ...runs) {
      runs.forEach((run) => destinationMiddleware.push([name, run]));
    },
    register(analytics, plugins) {
      return Promise.all(
        plugins.map((plugin) => {
          const entry = { plugin };
          registered.push(entry);
          const drop = (error) => {
            registered = registered.filter((other) => other != entry);
            report(error);
          };
          try {
            const loaded = plugin.load?.(void 0, analytics);
            if (loaded && "then" in loaded) {
              entry.loading = loaded.then(() => entry.loading = void 0, drop);
            }
          } catch (error) {
            drop(error);
          }
          return entry.loading;
        })
      );
    },
    deregister(names) {
      registered = registered.filter(({ plugin }) => {
        const goes = names.includes(plugin.name);
        if (goes) plugin.unload?.();
        return !goes;
      });
    },
    ready: () => Promise.all(registered.map((entry) => sooner(entry.loading, () => entry.plugin.ready?.()))),
    /** Everything that stands before storage; null when the call is dropped. */
    before: (context) => chain(context, [...steps, ...ofType("before"), ...ofType("enrichment")]),
    /** Everything that hears of the call once it is safe. */
    after(context) {
      registered.filter((entry) => entry.plugin.type == "destination").forEach((entry) => deliverTo(entry, context.event));
      void chain(context, ofType("after"));
    }
  };
};

// src/query.ts
var withPrefix = (params, prefix) => Object.fromEntries(
  Object.entries(params).filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value])
);
var runQueryString = (text, allowed, calls) => {
  if (allowed === false) return;
  const { aid, uid } = typeof allowed == "object" ? allowed : {};
  const params = readParams(text.replace(/^[^?]*\?/, "").replace(/[?#]/g, "&"));
  const { ajs_aid, ajs_uid, ajs_event } = params;
  if (ajs_aid && (!aid || aid.test(ajs_aid))) calls.setAnonymousId(ajs_aid);
  if (ajs_uid && (!uid || uid.test(ajs_uid))) calls.identify(ajs_uid, withPrefix(params, "ajs_trait_"));
  if (ajs_event) calls.track(ajs_event, withPrefix(params, "ajs_prop_"));
};

// src/queue.ts
var STORED_MAX = 1e3;
var openQueue = (writeKey) => {
  const prefix = "onym:" + writeKey + ":";
  const volatile = /* @__PURE__ */ new Map();
  const memory = {
    getItem: (key) => volatile.get(key) ?? null,
    setItem: (key, text) => volatile.set(key, text),
    removeItem: (key) => volatile.delete(key)
  };
  const areas = [webStorage("localStorage"), webStorage("sessionStorage"), memory].flatMap((area) => area ?? []);
  const keysOf = (area) => area == memory ? [...volatile.keys()] : Object.keys(area).filter((key) => key.startsWith(prefix));
  const queue = {
    put(id, text) {
      const key = prefix + id;
      for (const area of areas) {
        try {
          if (area == memory || area.getItem(key) || keysOf(area).length < STORED_MAX) {
            area.setItem(key, text);
            return;
          }
        } catch {
        }
      }
    },
    get: (id) => areas.reduce((text, area) => text ?? area.getItem(prefix + id), null),
    remove: (id) => areas.forEach((area) => area.removeItem(prefix + id)),
    list: () => [...new Set(areas.flatMap(keysOf))].map((key) => key.slice(prefix.length)).sort()
  };
  return queue;
};

// src/routes.ts
var watchRoutes = (onChange) => {
  const current = () => location.pathname + location.search;
  let seen = current();
  let url = location.href;
  const look = () => setTimeout(() => {
    if (current() != seen) {
      seen = current();
      onChange(url);
    }
    url = location.href;
  });
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function(...args) {
      original.apply(this, args);
      look();
    };
  }
  addEventListener("popstate", look);
};

// src/server-cookie.ts
var makeServerCookie = (url, writeKey, domain) => {
  let told = webStorage("sessionStorage")?.getItem("onym:cookie");
  return (anonymousId, userId) => {
    const body = JSON.stringify({ writeKey, anonymousId, userId, domain });
    if (body == told) return;
    told = body;
    fetch(url, { method: "POST", body, keepalive: true, credentials: "include" }).then(
      (answer) => answer.ok && webStorage("sessionStorage")?.setItem("onym:cookie", body),
      () => told = null
    );
  };
};

// src/stub.ts
var KEPT_PREFIX = "onym-stub:";
var isMessageCall = (method) => /^(identify|track|page|pageview|screen|group|alias|reset|setAnonymousId)$/.test(method);
var readCall = ([method, ...args]) => {
  const noted = args[args.length - 1]?.__t == "bpc" ? args.pop() : void 0;
  return {
    method,
    args,
    mark: noted?.i ? { at: noted.d, id: noted.i } : mark(),
    page: noted && makePage(noted.c, noted.p, noted.u, noted.s, noted.t, noted.r)
  };
};
var takeKept = () => {
  const storage = webStorage("localStorage");
  if (!storage) return [];
  return Object.keys(storage).filter((key) => key.startsWith(KEPT_PREFIX)).sort().flatMap((key) => {
    try {
      const calls = JSON.parse(storage.getItem(key));
      storage.removeItem(key);
      return calls.filter(([method]) => isMessageCall(method)).map(readCall);
    } catch {
      return [];
    }
  });
};

// src/api.ts
var makeAnalytics = (home) => {
  const emitter = makeEmitter();
  const memory = makeMemoryStore();
  const pipeline = makePipeline((error) => console.error(error));
  const settings = { writeKey: "", timeout: 300 };
  let options = {};
  let isLoaded = false;
  let isGranted = true;
  let isOff = false;
  let isDebug = false;
  let referrer;
  let consent;
  let held = [];
  let visitor = makeVisitor({ cookie: null, localStorage: null, memory }, {}, () => false);
  let readContext;
  let queue;
  let delivery;
  let serverCookie;
  const isOpen = () => isLoaded && isGranted && !isOff;
  const submit = (id, event) => {
    const context = makeContext(event);
    const finish = (passed2) => {
      delivery.unfinished.delete(id);
      if (passed2 && passed2.event.integrations["Segment.io"] !== false) queue.put(id, JSON.stringify(passed2.event));
      else queue.remove(id);
      delivery.wake();
      if (passed2) pipeline.after(passed2);
      return context;
    };
    const passed = pipeline.before(context);
    if (isPromise(passed)) {
      delivery.unfinished.add(id);
      queue.put(id, UNREADY + JSON.stringify(event));
    }
    return Promise.resolve(sooner(passed, finish));
  };
  const dispatch = (type, fields, callOptions, { at, id }, page, announced) => {
    var _a;
    const { integrations, context, anonymousId, userId, timestamp, messageId, ...others } = callOptions;
    if (anonymousId) visitor.user.anonymousId(anonymousId);
    const event = {
      type,
      messageId: messageId ?? id,
      timestamp: timestamp ?? new Date(at).toISOString(),
      anonymousId: visitor.user.anonymousId(),
      userId: userId ?? visitor.user.id() ?? void 0,
      ...fields,
      context: {
        ...readContext(page),
        ...consent,
        ...others,
        ...context,
        page: { ...page, ...others.page, ...context?.page }
      },
      integrations: { ...options.integrations, ...integrations }
    };
    for (const name in options.integrations) (_a = event.integrations)[name] && (_a[name] = integrations?.[name] ?? true);
    if (isDebug) console.log("analytics", event);
    const result = submit(id, event);
    serverCookie?.(visitor.user.anonymousId(), visitor.user.id());
    emitter.emit(type, ...announced, callOptions);
    return result;
  };
  const view = (type) => ({ texts, data, options: options2 }, mark2, page) => {
    const [category, name] = texts[1] === void 0 ? [void 0, texts[0]] : texts;
    const isPage = type == "page";
    const properties = { ...isPage && { ...page, category }, name, ...data };
    const shown = { ...page };
    if (isPage) for (const key in shown) shown[key] = data[key] ?? shown[key];
    return dispatch(type, { name, category, properties }, options2, mark2, shown, [category, name, properties]);
  };
  const handlers = {
    identify({ texts: [id], data, options: options2 }, mark2, page) {
      visitor.user.identify(id, data);
      const traits = visitor.user.traits();
      return dispatch("identify", { traits }, options2, mark2, page, [visitor.user.id(), traits]);
    },
    track({ texts: [name], data, options: options2 }, mark2, page) {
      const event = name || data.event;
      const properties = name ? data : data.properties ?? {};
      if (!event) throw new Error("Event missing");
      return dispatch("track", { event, properties }, options2, mark2, page, [event, properties]);
    },
    page: view("page"),
    screen: view("screen"),
    group({ texts: [id], data, options: options2 }, mark2, page) {
      visitor.group.identify(id, data);
      const groupId = visitor.group.id() ?? void 0;
      const traits = visitor.group.traits();
      return dispatch("group", { groupId, traits }, options2, mark2, page, [groupId, traits]);
    },
    alias({ texts: [to, from], data }, mark2, page) {
      const own = [visitor.user.id(), visitor.user.anonymousId()];
      const previousId = from ?? own[0] ?? own[1];
      const fields = { userId: to, previousId };
      if (!own.includes(previousId)) fields.anonymousId = void 0;
      return dispatch("alias", fields, data, mark2, page, [to, from]);
    },
    reset() {
      visitor.group.reset();
      visitor.user.reset();
      emitter.emit("reset");
    },
    setAnonymousId: ({ texts: [id] }) => visitor.user.anonymousId(id)
  };
  const call = ({ method: method2, args, mark: mark2, page = readPage(referrer) }) => {
    const parsed = readArgs(args, /^(page|screen|alias)$/.test(method2) ? 2 : 1);
    const run = () => {
      try {
        return isOff ? makeContext({}) : handlers[method2](parsed, mark2, page);
      } catch (error) {
        return Promise.reject(error);
      }
    };
    const result = isOpen() || isOff ? run() : new Promise((resolve2) => held.push(() => resolve2(run())));
    const { callback } = parsed;
    if (callback) {
      void Promise.race([result, new Promise((resolve2) => setTimeout(resolve2, settings.timeout))]).then(
        callback,
        callback
      );
    }
    return result;
  };
  const method = (name) => (...args) => call({ method: name, args, mark: mark() });
  const open = () => {
    if (!isOpen()) return;
    const waiting = held;
    held = [];
    visitor.open();
    takeKept().forEach(call);
    if (/ajs_/.test(location.href)) api.queryString(location.href);
    waiting.forEach((run) => run());
    delivery.wake();
  };
  const api = {
    VERSION,
    initialized: false,
    settings,
    identify: method("identify"),
    track: method("track"),
    page: method("page"),
    screen: method("screen"),
    alias: method("alias"),
    reset: method("reset"),
    setAnonymousId: method("setAnonymousId"),
    pageview: (path) => api.page({ path }),
    group: (...args) => args.length ? method("group")(...args) : visitor.group,
    user: () => visitor.user,
    load(writeKey, loadOptions) {
      if (isLoaded) return api;
      options = loadOptions ?? {};
      settings.writeKey = writeKey;
      const { disable } = options;
      isOff = !!(typeof disable == "function" ? disable({}) : disable) || isRefusedBySignal(options);
      isLoaded = api.initialized = true;
      isGranted = options.consent !== false;
      if (isOff) {
        held.forEach((run) => run());
        return api;
      }
      const base = apiBase(options, home);
      const stores = openStores(options, memory);
      readContext = makeContextReader(options);
      visitor = makeVisitor(stores, options, isOpen);
      queue = openQueue(writeKey);
      delivery = makeDelivery(queue, {
        url: base + "/b",
        writeKey,
        isOpen,
        finish: (id, text) => submit(id, JSON.parse(text)),
        onRefused: (ids, status) => emitter.emit("error", { code: "delivery_failure", ids, status })
      });
      if (options.serverCookie) serverCookie = makeServerCookie(base + "/cookie", writeKey, stores.domain);
      open();
      emitter.emit("initialize", settings, options);
      if (options.initialPageview) api.page();
      if (options.autoPage) {
        watchRoutes((left) => {
          referrer = left;
          api.page();
        });
      }
      return api;
    },
    consent(granted, categories) {
      consent = categories && { consent: { categoryPreferences: categories } };
      if (!granted && isOpen()) {
        visitor.forget();
        queue.list().forEach(queue.remove);
      }
      isGranted = granted;
      if (granted) open();
      else held = [];
      return api;
    },
    queryString: (query) => runQueryString(query, options.useQueryString, api),
    trackLink: makeTracker((...args) => api.track(...args), "click"),
    trackClick: makeTracker((...args) => api.track(...args), "click"),
    trackForm: makeTracker((...args) => api.track(...args), "submit"),
    trackSubmit: makeTracker((...args) => api.track(...args), "submit"),
    on: emitter.on,
    once: (name, listener) => emitter.on(name, listener, true),
    off: emitter.off,
    emit: emitter.emit,
    ready: (callback) => pipeline.ready().then(callback),
    timeout(delay_ms) {
      settings.timeout = delay_ms;
    },
    debug(isOn = true) {
      isDebug = isOn;
    },
    addSourceMiddleware: pipeline.addSourceMiddleware,
    addDestinationMiddleware: pipeline.addDestinationMiddleware,
    register: (...plugins) => pipeline.register(api, plugins),
    deregister: (...names) => pipeline.deregister(names),
    /** The stub's calls come in through here, with the time and page of when they were made */
    replay: call
  };
  return api;
};

// src/npm.ts
var createAnalytics = () => makeAnalytics();
var AnalyticsBrowser = {
  load(settings, options) {
    const instance = makeAnalytics();
    instance.load(settings.writeKey, options);
    return {
      ...instance,
      instance,
      then: (onLoaded) => Promise.resolve([instance]).then(onLoaded)
    };
  }
};
export {
  AnalyticsBrowser,
  createAnalytics
};
