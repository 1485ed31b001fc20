// Package relay defines the domain types of the Marketing Events Relay: events, storefronts, destinations, routes, deliveries,
// attempts, and the contract that an adapter fulfils. It holds the decisions that need no clock, network or
// database (routing, classification, redaction), and it imports nothing but the standard library, so that every other
// package may import it.
package relay
