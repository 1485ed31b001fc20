// Package relay defines the domain types of the Marketing Events Relay: events, storefronts, destinations, routes, deliveries,
// attempts, and the contract that an adapter fulfils. It decides what can be decided without a clock, a network or a
// database (routing, classification, redaction), and it imports nothing but the standard library, so that every other
// package may import it.
package relay
