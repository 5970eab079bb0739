# What a person or a CI run does here; each target may be repeated at will.

RELEASE := -c release --static-swift-stdlib --product jobs-proxy

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build test check format clean

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## Installs what is missing, builds the gateway and runs it (ARGS="--config FILE")
	@exec "$$(swift build $(RELEASE) --show-bin-path)/jobs-proxy" serve $(ARGS)

build: ## Installs what is missing and builds the gateway for release
	@Scripts/setup
	swift build $(RELEASE)

test: ## Installs what is missing, checks, and runs all tests
	@Scripts/setup --tests
	@$(MAKE) --no-print-directory check
	swift test --no-parallel

check: ## Checks the arrows between the modules, and the format
	Scripts/check-arrows --self-test
	Scripts/check-arrows
	Scripts/check-format

format: ## Formats the sources in place
	swift format format --in-place --parallel --recursive $(wildcard Sources Tests) Package.swift

clean: ## Removes what was built (.venv stays)
	rm -rf .build .build-*
