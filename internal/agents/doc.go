// Package agents tries popsync with delivery agents that end or misbehave in every way.
// docs/agents.md is made of what its test finds. It has nothing but tests.
package agents
