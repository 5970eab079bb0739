"""Calls of services that speak awsJson and that moto can stand for.

A scene has, for one service, lists of calls as (operation, input) or (operation, input, keep):
  makes   writes that make or change things; `keep` names values of the answer by their path, for later inputs
  ends    writes that come after all of these, mostly to remove the things again
  reads   reads that show what the writes do
  new     reads whose answers may never come from the cache: secrets, tokens, positions in a stream, items
  errors  calls that the service refuses
`$NAME` in an input stands for a kept value, and `$n` for the letter of the round: each round makes things of its own.
"""

from . import computing, configuration, data, messages, security

ROUNDS = ("a", "b")

SCENES = {
    name: scene
    for module in (computing, configuration, data, messages, security)
    for name, scene in module.SCENES.items()
}
