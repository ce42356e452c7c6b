import { test } from 'vitest';
import { prepareBackend } from '@gradwire/backend';
import { initialWeights, mnistCnn } from '@gradwire/models';
import { createTrainer, createBatcher } from './index.ts';
const time=(f:()=>void,n=25)=>{for(let i=0;i<10;i++)f();const a:number[]=[];for(let i=0;i<n;i++){const s=performance.now();f();a.push(performance.now()-s)}a.sort((x,y)=>x-y);return a[n>>1]!.toFixed(2)+' (min '+a[0]!.toFixed(2)+')'};
test('x', async () => {
  await prepareBackend(process.env['B'] as 'wasm');
  const task={type:'multiclass',classes:10} as const;
  const recipe={model:mnistCnn,task,seed:1};
  const trainer=createTrainer({recipe});
  const w=initialWeights(mnistCnn,1); trainer.setWeights(w);
  const batcher=createBatcher({...recipe,features:{type:'normalise'}});
  for(const B of [16,32,64,128,500]){
    const raw={features:Uint8Array.from({length:B*784},(_,i)=>(i*7919)%311%256),labels:Uint8Array.from({length:B},(_,i)=>i%10)};
    const batch=batcher(raw);
    console.log(B,'grad',time(()=>{trainer.gradient(batch)},B>100?9:25), 'eval', time(()=>{trainer.evaluate(batch)},5),'setW', time(()=>trainer.setWeights(w)),'batcher',time(()=>{batcher(raw)}));
  }
});
