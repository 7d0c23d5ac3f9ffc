// Package deliver hands messages to a Maildir or to a delivery program (an MDA), and what the
// program refuses too often to a quarantine, in steps of which each is durable before the next
// begins: stage, publish, and after a crash settle.
//
// [Target] is the contract, package delivertest the suite that every Target passes. A failure is
// a [*Error] whose Kind says whether it concerns one message or the target as a whole.
package deliver
