# The whole build. make: the program at build/onym. make help: the rest.
MODE   ?= release
B      := build/$(MODE)
LAYERS := $(shell awk '/^[a-z]/ {print $$1}' src/LAYERS)
SRC    := $(foreach layer,$(LAYERS),$(foreach ext,c cc S,$(wildcard src/$(layer)/*.$(ext))))
OBJ    := $(patsubst %,$B/%.o,$(basename $(filter-out src/main/main.c,$(SRC))))
FAKES  := $(patsubst %.c,$B/%.o,$(wildcard tests/fakes/*.c))
T      ?= *
UNITS  := $(patsubst %.c,$B/%,$(wildcard tests/unit/$(T)/*_test.c))
MODELS := $(patsubst %.c,$B/%,$(wildcard tests/model/*_test.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

CC     := gcc
CXX    := g++
ifeq ($(MODE),fuzz)
# Debian 12 has clang-14, Debian 13 clang-19; whatever is called clang will do.
# (One name at a time: dash looks at the first only.)
CLANG  := $(shell for name in clang-14 clang-19 clang; do command -v $$name && break; done)
CC     := $(CLANG)
CXX    := $(subst clang,clang++,$(CLANG))
WARN   += -Wno-unknown-warning-option
endif
ifeq ($(MODE),arm64)
ROOT   := build/arm64-root
CC     := aarch64-linux-gnu-gcc
CXX    := aarch64-linux-gnu-g++
UNDER  := qemu-aarch64 -L $(ROOT)
endif
# Warnings are errors where CI is set, and only there: a newer compiler warns of more, and must not stop a user's build.
WARN          += -Wall -Wextra -Wshadow -Wvla -Wswitch-enum -Wno-format-truncation $(if $(CI),-Werror)
FLAGS.release := -O2 -fno-plt -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS.nosums  := $(FLAGS.release) -DONYM_KV_NO_SUMS
FLAGS.dev     := -O1
FLAGS.asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS.tsan    := -O1 -fsanitize=thread
FLAGS.fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FLAGS.arm64   := -O1 -idirafter $(ROOT)/usr/include -idirafter $(ROOT)/usr/include/aarch64-linux-gnu \
                 -L$(ROOT)/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,$(ROOT)/usr/lib/aarch64-linux-gnu:$(ROOT)/lib/aarch64-linux-gnu
FLAGS.cov     := -O0 --coverage
CPPFLAGS := -Isrc -I. -MMD -MP -D_GNU_SOURCE
CFLAGS   := -std=gnu17 -g -pthread $(WARN) -Wmissing-prototypes -Wstrict-prototypes $(FLAGS.$(MODE))
CXXFLAGS := -std=c++17 -g -pthread $(WARN) $(FLAGS.$(MODE))
LDLIBS   := -lgnutls -lsimdjson -lre2 -llmdb -lcurl -lpq -lyaml -lzstd -lz -lisal -lxxhash -lm -pthread

.SECONDARY:
.PHONY: browser web examples all help tidy check run-tests install dist deb docs clean
all: build/onym

build/onym: $B/onym
	@ln -sfn $(MODE)/onym $@
$B/onym: $B/src/main/main.o $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
$B/libonym.a: $(OBJ)
	@rm -f $@; $(AR) rcs $@ $^
$B/libfakes.a: $(FAKES)
	@rm -f $@; $(AR) rcs $@ $^

# A unit test includes the .c that it tests, so it reaches the static functions; the archive supplies
# the rest (the linker leaves out the member that the test has already defined).
$B/tests/%_test: $B/tests/%_test.o $B/libfakes.a $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $B/libonym.a -lcmocka $(LDLIBS)
$B/tests/vectors/driver $B/tests/plan/driver: $B/tests/%/driver: $B/tests/%/driver.o $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
$B/bench/%: $B/bench/%.o $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
build/fuzz/seeds: build/fuzz/tests/fuzz/seeds.o build/fuzz/libfakes.a build/fuzz/libonym.a
	$(CXX) $(FLAGS.fuzz) -o $@ $^ build/fuzz/libonym.a $(LDLIBS)
build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libfakes.a build/fuzz/libonym.a
	$(CXX) $(FLAGS.fuzz) -fsanitize=fuzzer -o $@ $^ build/fuzz/libonym.a $(LDLIBS)

$B/src/site/site_scripts.o: src/site/site_early.js src/site/site_probe.js
# The browser library goes into the program as bytes: what src/api/assets.tbl.h names, in three forms each.
ASSETS  := $(addprefix build/browser/,$(shell sed -n 's/^ASSET([^,]*, \(.*\))$$/\1/p' src/api/assets.tbl.h))
LIBRARY := $(foreach form,% %.gz %.br,$(ASSETS:%=$(form))) build/browser/snippet.min.js
$B/src/api/api_library_bytes.o: $(LIBRARY)
# The page is built by web/ into build/web; what goes into the program, build/ui, has names with the hashes of their bytes.
PAGE := $(addprefix build/ui/,$(shell sed -n 's/^ASSET.[^,]*, *\([^,]*\),.*/\1/p' src/api/dashboard.tbl.h))
$B/src/api/api_dashboard_bytes.o: $(foreach form,% %.gz %.br,$(PAGE:%=$(form)))
build/web/index.html build/web/app.js build/web/app.css &: $(shell find web -name node_modules -prune -o -type f -print)
	cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund; } && node build.mjs
build/ui/app.js build/ui/app.css: build/ui/%: build/web/% ; @mkdir -p $(@D) && cp $< $@
build/ui/index.html: build/web/index.html build/ui/app.js build/ui/app.css
	@hash() { sha256sum <$$1 | cut -c1-16; } && sed "s|/ui/app[.]js|/ui/app.$$(hash build/ui/app.js).js|; \
	 s|/ui/app[.]css|/ui/app.$$(hash build/ui/app.css).css|" $< >$@
## make web                   the page alone, into build/web
web: build/web/index.html
SITE := $(addprefix build/site/,$(shell sed -n 's/^ASSET.[^,]*, *\([^,]*\),.*/\1/p' src/demo/assets.tbl.h))
$B/src/demo/demo_bytes.o: $(foreach form,% %.gz %.br,$(SITE:%=$(form))) examples/rdio/assets/start.js
build/site/%.html: examples/rdio/pages/%.html examples/rdio/frame.html examples/rdio/frame.awk
	@mkdir -p $(@D) && awk -f examples/rdio/frame.awk examples/rdio/frame.html $< >$@
build/site/assets/%: examples/rdio/assets/% ; @mkdir -p $(@D) && cp $< $@
# Each in three forms.
build/%.gz: build/% ; @gzip -9nc $< >$@
build/%.br: build/%
	@node -e 'process.stdout.write(require("zlib").brotliCompressSync(require("fs").readFileSync(0)))' <$< >$@
$(ASSETS) build/browser/snippet.min.js &: $(wildcard browser/src/* browser/extra/* browser/tools/* browser/*.mjs) browser/package-lock.json
	cd browser && npm ci --silent --no-audit --no-fund && node build.mjs
## make browser               the browser library alone, with its size beside analytics-next's
browser: $(LIBRARY)

$B/%.o: %.c  ; @mkdir -p $(@D); $(CC)  $(CPPFLAGS) $(CFLAGS)   -c -o $@ $<
$B/%.o: %.cc ; @mkdir -p $(@D); $(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<
$B/%.o: %.S  ; @mkdir -p $(@D); $(CC)  $(CPPFLAGS)             -c -o $@ $<
-include $(shell find $B -name '*.d' 2>/dev/null)

## make check [T=folder]      house rules, then unit and model tests under ASan and UBSan
check: tidy ; @$(MAKE) --no-print-directory MODE=asan run-tests
## make tsan [T=folder]       those tests that start threads, under the thread sanitizer
tsan: ; @$(MAKE) --no-print-directory MODE=tsan run-tests
# qemu-user lacks the robust mutexes that LMDB asks for: what opens a real LMDB cannot run under it. ask_memory_test asks
# thousands of questions, a minute's work: a quarter of an hour under qemu, and nothing in it is the processor's.
SKIP.arm64 := $(patsubst %.c,$B/%,$(shell grep -l 'derive_world.h' tests/unit/*/*.c)) $(addprefix $B/tests/unit/, \
  ask/ask_memory_test control/control_erase_test derive/derive_missing_test control/control_unread_test deliver/deliver_threads_test outbox/outbox_test \
  kv/kv_life_test kv/kv_lmdb_test symptoms/symptoms_test)
# Where there is one thread the thread sanitizer has nothing to see (and it holds signals back). Nothing in src/ but
# server_threads.c starts any, so these are the tests that start their own.
THREADED := $(shell grep -l pthread_create tests/unit/*/*.c tests/model/*.c)
SKIP.tsan := $(filter-out $(THREADED:%.c=$B/%),$(UNITS) $(MODELS))
run-tests: $(filter-out $(SKIP.$(MODE)),$(UNITS) $(if $(filter *,$(T)),$(MODELS)))
	@for test in $^; do $(UNDER) ./$$test 2>$$test.log || { cat $$test.log; echo "failed: $$test"; exit 1; }; done; \
	 echo "$(words $^) test programs passed ($(MODE))"
## make vectors               what other pipelines send to the vendors, and where ours differs on purpose
vectors: $B/tests/vectors/driver ; @tests/vectors/run $<
## make plans                JSON-Schema-Test-Suite, beside python's jsonschema, and what `onym plan` says of files
plans: $B/tests/plan/driver build/onym ; @tests/plan/run $<
## make soak-deliver [SECONDS_LONG=600 SEED=n]   visitors to vendors that fail, kill -9 in between (tests/standins)
soak-deliver: build/onym ; @tests/standins/run --visitors 40 --kills 6 --seconds $(or $(SECONDS_LONG),600) $(if $(SEED),--seed $(SEED))
## make sim [SEED=n|RUNS=n]   whole houses with faults and power cuts, one a seed (tests/sim/README.md)
SIM := $(patsubst %.c,$B/%.o,$(wildcard tests/sim/*.c))
$B/tests/sim/sim: $(SIM) $B/libfakes.a $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
sim: ; @$(MAKE) --no-print-directory MODE=asan run-sim
run-sim: $B/tests/sim/sim
	@ASAN_OPTIONS=detect_leaks=0 $B/tests/sim/sim $(if $(SEED),--seed $(SEED),$(if $(FROM),--from $(FROM)) \
	 --runs $(or $(RUNS),200) --jobs $(or $(JOBS),$(shell nproc)))
## make arm64 [T=folder]      everything built for 64-bit Arm, and its unit tests run under qemu-user
arm64: ; @tools/arm64-root build/arm64-root && $(MAKE) --no-print-directory MODE=arm64 build/arm64/onym run-tests MODELS= \
	 && qemu-aarch64 -L build/arm64-root build/arm64/onym version
## make fresh [SUITE=trixie]  ./run on a Debian with nothing but git (tools/fresh-debian; needs root)
fresh: ; @tools/fresh-debian $(or $(SUITE),bookworm)
## make fresh-both [SUITE=trixie]  the same, then ./test in the same clone: 40 minutes on two cores
fresh-both: ; @tools/fresh-debian $(or $(SUITE),bookworm) 'bash /root/first-minute && ./test'
## make tidy                  layers, doors, names, banned calls, lengths, subjects of commits
tidy: $B/libonym.a $B/src/main/main.o
	@awk -f tools/layers.awk src/LAYERS src/DOORS $(wildcard src/*/*.[ch] src/*/*.cc) && tools/doors $B && tools/positions && tools/tidy && tools/parameters && tools/assertions && tools/subjects
## make fuzz F=frame TIME=60 SEED=0  one fuzzer for some seconds; without F all; SEED=0: other dice each time
fuzz: ; @$(MAKE) --no-print-directory MODE=fuzz run-fuzz
run-fuzz: build/fuzz/seeds $(addprefix build/fuzz/,$(if $(F),fuzz_$(F),$(FUZZERS)))
	@build/fuzz/seeds build/fuzz/corpus
	@for fuzzer in $(filter-out $<,$^); do name=$$(basename $$fuzzer); mkdir -p build/fuzz/corpus/$$name tests/fuzz/corpus/$$name; \
	 echo "$$name: $(or $(TIME),30) s"; $$fuzzer -seed=$(or $(SEED),1) -max_total_time=$(or $(TIME),30) -timeout=10 -rss_limit_mb=3000 \
	 -artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name tests/fuzz/corpus/$$name >build/fuzz/$$name.log 2>&1 \
	 || { tail -40 build/fuzz/$$name.log; echo "failed: $$name"; exit 1; }; done; echo "$(words $(filter-out $<,$^)) fuzzers found nothing"
## make install [PREFIX=/usr/local DESTDIR=]   program, manual page, completions
PREFIX ?= /usr/local
SHARE   = $(DESTDIR)$(PREFIX)/share
install: all
	install -D $B/onym $(DESTDIR)$(PREFIX)/bin/onym
	install -D -m 0644 packaging/onym.1 $(SHARE)/man/man1/onym.1
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$B/onym completion bash >$(SHARE)/bash-completion/completions/onym
	$B/onym completion zsh >$(SHARE)/zsh/site-functions/_onym
	$B/onym completion fish >$(SHARE)/fish/vendor_completions.d/onym.fish
## make docs                  the pages that the program prints: the manual page, the reference of configuration and API
docs: all
	@build/onym help --man >packaging/onym.1
	@build/onym check-config --template >conf/onym.yaml
	@build/onym check-config --markdown >docs/configuration.md
	@tests/docs/run --write
## make dist                  the sources of this commit as build/onym-VERSION.tar.gz, the same bytes whoever makes it
VERSION := $(shell sed -n 's/^.define ONYM_VERSION "\(.*\)"/\1/p' src/base/version.h)
dist: ; @tools/dist $(VERSION)
## make deb                   a Debian package for the release that it is built on, as build/onym_*.deb (packaging/README.md)
deb: all ; @tools/install-packages deb && packaging/deb/build $(VERSION)
## make examples [ONLY=react]  the sites in examples/ installed, built and used in Chromium (tests/examples; minutes)
examples: ; @tests/examples/run $(ONLY)
## make bench-browser         script time of the browser library at load and at each call, beside analytics-next's
bench-browser: $(LIBRARY) ; @cd tests/browser && npm ci --silent --no-audit --no-fund && node bench.mjs
## make soak-browser [REPEAT=200 REPEAT_NEXT=200 ONLY='on a form post']   calls lost, each way to leave a page, in each
##                            browser that is here, beside analytics-next; goes on where it was stopped
soak-browser: build/onym ; @REPEAT=$(or $(REPEAT),200) $(if $(REPEAT_NEXT),REPEAT_NEXT=$(REPEAT_NEXT)) $(if $(ONLY),ONLY='$(ONLY)') tests/browser/run loss
## make soak [SECONDS_LONG=600 SEED=n]   everything at once with kill -9, then every number is compared (tests/soak/run)
soak: build/onym ; @tests/soak/run --seconds $(or $(SECONDS_LONG),600) $(if $(SEED),--seed $(SEED))
## make soak-crash [TIMES=200]   kill -9 under load, that many times; every acknowledged event is there
soak-crash: build/onym $B/bench/load ; @tests/e2e/crash --times $(or $(TIMES),200)
## make soak-damage [ROUNDS=2000 SEED=n]   bits of every file of a data directory flipped, files cut (tests/damage/run)
soak-damage: build/onym ; @tests/damage/run --rounds $(or $(ROUNDS),2000) $(if $(SEED),--seed $(SEED))
## make bench-ingest          collection beside nginx on the same core (needs nginx-light; bench/README.md)
bench-ingest: build/onym $B/bench/load ; @bench/ingest
## make bench-path [SECONDS_LONG=30]   HTTP to applied: events/s of the whole path, and how soon the API shows an event
bench-path: build/onym $B/bench/load ; @bench/path --seconds $(or $(SECONDS_LONG),30)
## make bench-deliver         events a second to a local webhook, and a healthy destination beside dead ones
bench-deliver: build/onym $B/bench/load ; @bench/deliver
## make bench-sums [PAIRS=8]  what the checksums of keyed state cost an event, in CPU time, beside a build without them
bench-sums: build/release/bench/apply ; @$(MAKE) --no-print-directory MODE=nosums build/nosums/bench/apply && bench/sums $(or $(PAIRS),8)
## make bench-plan            what a tracking plan of 200 events costs collection, in instructions (needs valgrind)
bench-plan: $B/bench/collect ; @bench/plan
## make bench-walk            what walking over messages costs the applier, the symptoms and a plan, in instructions
bench-walk: $B/bench/apply $B/bench/symptoms $B/bench/collect ; @bench/walk $(or $(BUILDS),build/release)
## make bench-starve          collection's latency beside questions that are asked in a loop (bench/starve)
bench-starve: build/onym $B/bench/load ; @bench/starve
## make soak-live [SECONDS_LONG=600 EVENTS=2000]   Live under load: memory of tab and server flat, the counter exact
soak-live: build/onym ; @SECONDS_LONG=$(or $(SECONDS_LONG),600) $(if $(EVENTS),EVENTS=$(EVENTS)) node tests/web/live-soak.mjs
## make bench-web             how Live scrolls with ten thousand rows: frames a second, in headless Chromium
bench-web: build/onym ; @node tests/web/frames.mjs
## make bench-funnel [EVENTS=20000000]   the same funnel in Onym, ClickHouse and DuckDB (bench/README.md)
bench-funnel: $B/bench/funnel ; @bench/funnel-peers --events $(or $(EVENTS),20000000)
## make bench-identity [MILLIONS="1 10 50"]   links, look-ups and bytes an identifier; 50 million take 3 GB
bench-identity: $B/bench/identity ; @for size in $(or $(MILLIONS),1 10); do $B/bench/identity $$size || exit 1; done
## make bench-symptoms [THOUSANDS=1000]   what counting symptoms costs an event (bench/symptoms.c)
bench-symptoms: $B/bench/symptoms ; @$B/bench/symptoms $(or $(THOUSANDS),1000)
## make bench-apply           the applier's cost an event, and a start after a kill, at 1 and 4 million events
bench-apply: $B/bench/apply ; @$B/bench/apply
## make soak-doctor [SEEDS=1000]   healthy made-up histories, in none of which the doctor may find anything (25 minutes)
soak-doctor: all ; @tests/doctor/run --healthy --seeds $(or $(SEEDS),1000)
## make soak-identity [ROUNDS=n]   identity = its model on a million random histories, a tenth of it through the journal
soak-identity: ; @$(MAKE) --no-print-directory MODE=dev run-soak-identity
run-soak-identity: $B/tests/model/identity_model_test $B/tests/model/derive_model_test $B/tests/model/profile_model_test
	@ROUNDS=$(or $(ROUNDS),1000000) $B/tests/model/identity_model_test
	@for test in derive profile; do ROUNDS=$$(($(or $(ROUNDS),1000000) / 10)) $B/tests/model/$${test}_model_test || exit 1; done
## make clean                 forget build/
clean: ; rm -rf build
help: ; @grep -h '^## ' Makefile | sed 's/^## //'
