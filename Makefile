# The tasks of a person or a CI run; each target may be repeated at will.

RELEASE := -c release --static-swift-stdlib --product jobs-proxy

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run run-cluster build package test check check-page sanitize fuzz bench bench-cluster bench-parts format clean

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## Installs what is missing, builds the gateway and runs it (ARGS="--config FILE")
	@exec "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy" serve $(ARGS)

run-cluster: build ## Runs three gateways that share quota and pages through a Redis, which it installs, in front of one sandbox
	@Scripts/setup --cluster
	@exec Scripts/run-cluster "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy"

build: ## Installs what is missing and builds the gateway for release
	@Scripts/setup
	swift build $(RELEASE)
	@Scripts/check-copies

package: build ## Makes a Debian package and an OCI image of it in .build/package, and tries both
	@Scripts/setup --package
	Scripts/package --gateway "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy"
	Scripts/check-package --gateway "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy"

test: ## Installs what is missing, checks, runs all tests, and the gateway where it may be deployed
	@Scripts/setup --tests
	@$(MAKE) --no-print-directory check
	Scripts/run-tests
	Scripts/check-deployment --self-test
	Scripts/make-catalogs --check
	Scripts/check-deployment
	Scripts/check-kubernetes --self-test
	Scripts/check-package --self-test
	Scripts/check-kubernetes
	Scripts/check-observability --self-test
	Scripts/check-observability
	Scripts/check-allocations

check: ## Checks the arrows between the modules, and the format
	Scripts/check-arrows --self-test
	Scripts/check-arrows
	Scripts/check-format

check-page: ## Looks at the operator's page in a headless Chromium, which it installs
	@Scripts/setup --browser
	swift build --product jobs-proxy
	Scripts/check-page
	Scripts/check-observability

sanitize: ## Runs the tests of what threads share under the thread sanitizer
	@Scripts/setup --cluster
	Scripts/check-threads

fuzz: ## Fuzzes what reads what comes from outside (SECONDS=60 for each reader), after bugs that it must find
	@Scripts/setup
	Scripts/check-fuzz --seconds $(or $(SECONDS),60)

bench: build ## Measures the gateway beside nginx, Varnish, HAProxy and Envoy; writes docs/benchmarks.md (QUICK=1: neither long nor written)
	@Scripts/setup --bench
	Benchmarks/gateway.py --gateway "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy" $(if $(QUICK),--quick,--write)

bench-cluster: build ## Measures gateways that share quota and pages, with Redis in health and in trouble (ARGS="--only quota --gateways 3")
	@Scripts/setup --cluster
	Benchmarks/cluster.py --gateway "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy" $(ARGS)

bench-parts: ## Measures the cache and the limits alone: memory, hit ratios, cost of a lookup and of a decision
	@Scripts/setup
	swift build -c release --package-path Benchmarks
	Benchmarks/.build/release/CacheBenchmark
	Benchmarks/.build/release/LimitBenchmark
	Benchmarks/.build/release/RefreshBenchmark

format: ## Formats the sources in place
	swift format format --in-place --parallel --recursive Package.swift Sources Tests \
		Benchmarks/Package.swift Benchmarks/Sources/*Benchmark Fuzzing/Package.swift Fuzzing/Sources/Fuzz*

clean: ## Removes what was built (.venv stays)
	rm -rf .build Benchmarks/.build Fuzzing/.build Tests/Sanitized/.build
