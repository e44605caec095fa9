"""Contracts sorted by labels of one's own, learned from a few examples: python examples/triage_contracts.py"""

from classifier.edges.estimator import ArrangementTagger

seen = {
    "Night guards for the depot, 24 months": {"site"},
    "Laundry of bed linen, three clinics": {"site"},
    "Ledger and VAT returns by a bureau in Kraków": {"abroad", "data"},
    "Claims keyed by a vendor in Manila": {"abroad", "data"},
    "Pay slips printed and posted by a bureau in our town": {"data"},
}
tagger = ArrangementTagger(vendor_contract=True, home="GB").fit(list(seen), list(seen.values()))
for text in ("Window cleaning, two buildings, 36 months", "Invoices typed by a firm in Cebu"):
    print(dict(zip(tagger.classes_, tagger.predict_proba([text])[0].round(2).tolist(), strict=True)), text)
