import json, sys, time
import numpy as np
import models.zoo, handgrad, jax
from tests.handgrad import plain_losses
jax.config.update("jax_numpy_rank_promotion","allow")
out={}
def strip(d):
    d=dict(d); d.pop("seconds",None); return d
from models import zoo
b=time.process_time()
for m in list(zoo.MODELS if hasattr(zoo,'MODELS') else zoo.ALL):
    point=m.draw(np.random.default_rng(3))
    for referee in ("auto","program"):
        try: out[m.name,referee]=strip(handgrad.check_gradient(m.gradient,m.loss,*point,points=1,referee=referee).to_dict())
        except Exception as e: out[m.name,referee]=repr(e)
for n,p in plain_losses.ALL.items():
    point=p.draw(np.random.default_rng(3))
    out[n,'numpy']=strip(handgrad.check_gradient(p.gradient,p.loss,*point,points=1).to_dict())
json.dump({'|'.join(k):v for k,v in out.items()},open(sys.argv[1],'w'),indent=1,default=str)
print(len(out),time.process_time()-b)
