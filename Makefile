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
CC     := clang-14
CXX    := clang++-14
WARN   += -Wno-unknown-warning-option
endif
WARN          += -Wall -Wextra -Wshadow -Wvla -Wswitch-enum -Wno-format-truncation -Werror
FLAGS.release := -O2 -fno-plt -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS.dev     := -O1
FLAGS.asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS.tsan    := -O1 -fsanitize=thread
FLAGS.fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FLAGS.cov     := -O0 --coverage
CPPFLAGS := -Isrc -I. -MMD -MP -D_GNU_SOURCE
CFLAGS   := -std=gnu17 -g -pthread $(WARN) -Wmissing-prototypes -Wstrict-prototypes $(FLAGS.$(MODE))
CXXFLAGS := -std=c++17 -g -pthread $(WARN) $(FLAGS.$(MODE))
LDLIBS   := -lmicrohttpd -lgnutls -lsimdjson -llmdb -lcurl -lyaml -lzstd -lz -lisal -lxxhash -lm -pthread

.SECONDARY:
.PHONY: browser all help tidy check run-tests install clean
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
$B/tests/vectors/driver: $B/tests/vectors/driver.o $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
$B/bench/%: $B/bench/%.o $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
build/fuzz/seeds: build/fuzz/tests/fuzz/seeds.o build/fuzz/libfakes.a build/fuzz/libonym.a
	$(CXX) $(FLAGS.fuzz) -o $@ $^ build/fuzz/libonym.a $(LDLIBS)
build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libfakes.a build/fuzz/libonym.a
	$(CXX) $(FLAGS.fuzz) -fsanitize=fuzzer -o $@ $^ build/fuzz/libonym.a $(LDLIBS)

# The browser library goes into the program as bytes.
LIBRARY := $(addprefix build/browser/,analytics.min.js analytics.min.js.gz snippet.min.js)
$B/src/http/http_library_bytes.o: $(LIBRARY)
$B/src/http/http_site_bytes.o: $(wildcard examples/rdio/pages/* examples/rdio/assets/*)
build/browser/%.gz: build/browser/% ; @gzip -9nc $< >$@
build/browser/analytics.min.js build/browser/snippet.min.js &: $(wildcard browser/src/*) browser/package-lock.json
	cd browser && npm ci --silent --no-audit --no-fund && node build.mjs
## make browser               the browser library alone, with its size beside analytics-next's
browser: $(LIBRARY)

$B/%.o: %.c  ; @mkdir -p $(@D); $(CC)  $(CPPFLAGS) $(CFLAGS)   -c -o $@ $<
$B/%.o: %.cc ; @mkdir -p $(@D); $(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<
$B/%.o: %.S  ; @mkdir -p $(@D); $(CC)  $(CPPFLAGS)             -c -o $@ $<
-include $(shell find $B -name '*.d' 2>/dev/null)

## make check [T=folder]      house rules, then unit and model tests under ASan and UBSan
check: tidy ; @$(MAKE) --no-print-directory MODE=asan run-tests
## make tsan [T=folder]       the same tests under the thread sanitizer, with fewer random histories
tsan: ; @HISTORIES=2 ROUNDS=40 $(MAKE) --no-print-directory MODE=tsan run-tests
# One thread that fails every disk call in turn: minutes under the thread sanitizer, which has nothing to see there.
SKIP.tsan := $B/tests/model/journal_faults_test
run-tests: $(filter-out $(SKIP.$(MODE)),$(UNITS) $(if $(filter *,$(T)),$(MODELS)))
	@for test in $^; do ./$$test 2>$$test.log || { cat $$test.log; echo "failed: $$test"; exit 1; }; done; \
	 echo "$(words $^) test programs passed ($(MODE))"
## make vectors               what other pipelines send to the vendors, and where ours differs on purpose
vectors: $B/tests/vectors/driver ; @tests/vectors/run $<
## make soak-deliver [SECONDS_LONG=600 SEED=n]   visitors to vendors that fail, kill -9 in between (tests/standins)
soak-deliver: build/onym ; @tests/standins/run --visitors 40 --kills 6 --seconds $(or $(SECONDS_LONG),600) $(if $(SEED),--seed $(SEED))
## make sim [SEED=n|RUNS=n]   worlds with faults and power cuts, one a seed (tests/sim/README.md)
SIM := $(patsubst %.c,$B/%.o,$(wildcard tests/sim/*.c))
$B/tests/sim/sim: $(SIM) $B/libfakes.a $B/libonym.a
	$(CXX) $(FLAGS.$(MODE)) -o $@ $^ $(LDLIBS)
sim: ; @$(MAKE) --no-print-directory MODE=asan run-sim
run-sim: $B/tests/sim/sim
	@ASAN_OPTIONS=detect_leaks=0 $B/tests/sim/sim $(if $(SEED),--seed $(SEED),$(if $(FROM),--from $(FROM)) --runs $(or $(RUNS),200))
## make tidy                  layers, doors, banned calls, lengths
tidy: ; @awk -f tools/layers.awk src/LAYERS $(wildcard src/*/*.[ch] src/*/*.cc) && tools/tidy
## make fuzz F=frame TIME=60  one fuzzer for some seconds; without F all of them
fuzz: ; @$(MAKE) --no-print-directory MODE=fuzz run-fuzz
run-fuzz: build/fuzz/seeds $(addprefix build/fuzz/,$(if $(F),fuzz_$(F),$(FUZZERS)))
	@build/fuzz/seeds build/fuzz/corpus
	@for fuzzer in $(filter-out $<,$^); do name=$$(basename $$fuzzer); mkdir -p build/fuzz/corpus/$$name tests/fuzz/corpus/$$name; \
	 echo "$$name: $(or $(TIME),30) s"; $$fuzzer -max_total_time=$(or $(TIME),30) -timeout=10 -rss_limit_mb=3000 \
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
## make soak-browser [REPEAT=200 ONLY='on a form post']   calls lost, each way to leave a page, beside analytics-next
soak-browser: build/onym ; @REPEAT=$(or $(REPEAT),200) $(if $(ONLY),ONLY='$(ONLY)') tests/browser/run loss
## make soak [SECONDS_LONG=600 SEED=n]   everything at once with kill -9, then every number is compared (tests/soak/run)
soak: build/onym ; @tests/soak/run --seconds $(or $(SECONDS_LONG),600) $(if $(SEED),--seed $(SEED))
## make soak-crash [TIMES=200]   kill -9 under load, that many times; every acknowledged event is there
soak-crash: build/onym $B/bench/load ; @tests/e2e/crash --times $(or $(TIMES),200)
## make bench-ingest          collection beside nginx on the same core (needs nginx-light; bench/README.md)
bench-ingest: build/onym $B/bench/load ; @bench/ingest
## make bench-path [SECONDS_LONG=30]   HTTP to applied: events/s of the whole path, and how soon the API shows an event
bench-path: build/onym $B/bench/load ; @bench/path --seconds $(or $(SECONDS_LONG),30)
## make bench-deliver         events a second to a local webhook, and a healthy destination beside dead ones
bench-deliver: build/onym $B/bench/load ; @bench/deliver
## make bench-starve          collection's latency beside questions that are asked in a loop (bench/starve)
bench-starve: build/onym $B/bench/load ; @bench/starve
## make bench-funnel [EVENTS=20000000]   the same funnel in Onym, ClickHouse and DuckDB (bench/README.md)
bench-funnel: $B/bench/funnel ; @bench/funnel-peers --events $(or $(EVENTS),20000000)
## make bench-identity [MILLIONS="1 10 50"]   links, look-ups and bytes an identifier; 50 million take 3 GB
bench-identity: $B/bench/identity ; @for size in $(or $(MILLIONS),1 10); do $B/bench/identity $$size || exit 1; done
## make bench-apply           the applier's cost an event, and a start after a kill, at 1 and 4 million events
bench-apply: $B/bench/apply ; @$B/bench/apply
## make soak-identity [ROUNDS=n]   identity = its model on a million random histories, a tenth of it through the journal
soak-identity: ; @$(MAKE) --no-print-directory MODE=dev run-soak-identity
run-soak-identity: $B/tests/model/identity_model_test $B/tests/model/apply_model_test $B/tests/model/profile_model_test
	@ROUNDS=$(or $(ROUNDS),1000000) $B/tests/model/identity_model_test
	@for test in apply profile; do ROUNDS=$$(($(or $(ROUNDS),1000000) / 10)) $B/tests/model/$${test}_model_test || exit 1; done
## make clean                 forget build/
clean: ; rm -rf build
help: ; @grep -h '^## ' Makefile | sed 's/^## //'
