# Inference Proxy. Needs make, node and npm; everything else, Bun included, comes from package-lock.json.

BUN := node_modules/.bin/bun
BINARY := dist/inference-proxy
VERSION := $(shell sed -n 's/^  "version": "\(.*\)",$$/\1/p' package.json)
SOURCES := $(shell find src migrations -type f)
CODE := src migrations test package.json tsconfig.json .ci/oxlint.json

.DEFAULT_GOAL := help
.PHONY: help demo test check lint build release bench torture prices docs openapi fixture fmt clean

help: ## Show what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BINARY) ## Build, start with a stand-in provider, stream one call per wire, keep serving
	@$(BINARY) demo

test: $(BINARY) ## Run every test, those against the binary included
	$(BUN) test --timeout 30000

check: lint test ## Check formatting, lint, types and tests: the word before a commit

lint: node_modules/.stamp ## Check formatting, lint and types only
	$(BUN) fmt --check $(CODE)
	node_modules/.bin/oxlint --config .ci/oxlint.json --type-aware --deny-warnings src migrations test
	$(BUN) check

build: $(BINARY) ## Build dist/inference-proxy, one self-contained file

release: node_modules/.stamp ## Build dist/release, for every kind of machine
	@$(BUN) src/tools/make_release.ts $(COMPILE)

bench: $(BINARY) ## Measure cost, latency and memory beside a bare relay, in about six minutes
	$(BUN) src/tools/bench.ts $(BINARY)

torture: $(BINARY) ## Kill, starve, flood and feed rubbish to the binary, and check the ledger
	$(BUN) src/tools/torture.ts $(BINARY)

prices: node_modules/.stamp ## Write the price catalogue anew from the public price library
	$(BUN) src/tools/make_prices.ts

docs: node_modules/.stamp ## Write the generated parts of the pages anew
	$(BUN) src/tools/make_docs.ts

openapi: node_modules/.stamp ## Write the API description and its page anew
	$(BUN) src/tools/make_openapi.ts

fixture: node_modules/.stamp ## Write this release's upgrade fixture anew
	$(BUN) src/tools/make_fixture.ts

fmt: node_modules/.stamp ## Format the code
	$(BUN) fmt $(CODE)

clean: ## Remove what was built and installed
	rm -rf dist node_modules

# The npm package of Bun is a placeholder until its installer has linked the platform's binary.
node_modules/.stamp: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@$(BUN) --version >/dev/null 2>&1 || node node_modules/bun/install.js
	@$(BUN) --version >/dev/null && touch $@

# Split, a start runs only the part of the program that it needs, and no more of the libraries than is used.
# The working directory's .env and bunfig.toml must not reach the binary, nor code made from text.
COMPILE = $(BUN) build --compile --production --format=esm --bytecode --sourcemap --splitting \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --compile-exec-argv="--disallow-code-generation-from-strings=strict --no-addons --use-system-ca" \
  --define BUILD_VERSION='"$(VERSION)"' src/main.ts

# The source maps are embedded; the copies beside the binary are of no use.
$(BINARY): node_modules/.stamp $(SOURCES) Makefile
	$(COMPILE) --outfile $@
	@rm -f $(@D)/*.map
