"""Terms and evidence in a spaCy pipeline: python examples/spacy_pipeline.py > evidence.html"""

import sys

import spacy
from spacy import displacy

nlp = spacy.blank("en")
nlp.add_pipe("arrangement_terms", config={"home": "US"})
docs = list(nlp.pipe(["A vendor in Manila answers our customers.", "A firm in Texas runs our help desk."]))
for doc in docs:
    print({term: round(doc.cats[term], 2) for term in doc._.tagging.ids}, file=sys.stderr)
print(displacy.render(docs, style="span", options={"spans_key": "arrangement_evidence"}, page=True, jupyter=False))
