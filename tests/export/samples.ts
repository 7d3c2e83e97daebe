import type * as forms from "./forms";

export default [
  {"borrowed":"text","shape":{"Box":{"width":1.0,"height":2.0}},"change":{"kind":"created","column":"doing","position":2},"notice":{"type":"Nothing"},"value":[1.0,"2"],"flat":{"id":1,"column":"doing","position":2,"type":"Count","data":1},"open":{"id":1,"urgent":true},"empty":{},"maps":{"by_name":{"a":{"column":"doing","position":2}},"by_number":{"1":true},"by_column":{"done":1},"maybe":{"b":null}},"color":"green","pair":[1,"done"],"triple":[1.0,2.0,3.0],"either":[null,"todo"],"any":{"a":[1]},"letter":"a","unit":null,"boxed":{"column":"doing","position":2},"numbers":1} satisfies forms.Everything,
  {"page":{"items":[{"taskId":1,"title":"Paint","due":null,"column":"todo","sub-tasks":[{"taskId":1,"title":"Paint","due":null,"column":"todo","revision":3}],"revision":3}],"next":null}} satisfies forms.PagedOfTask,
  "Empty" satisfies forms.Shape,
  {"Circle":1.0} satisfies forms.Shape,
  {"Line":[1.0,2.0]} satisfies forms.Shape,
  {"kind":"renamed","title":"Paint"} satisfies forms.Change,
  {"kind":"deleted"} satisfies forms.Change,
  {"type":"Text","data":"text"} satisfies forms.Notice,
  {"id":1,"column":"doing","position":2,"type":"Nothing"} satisfies forms.Flat,
  {"change":[{"taskId":1,"title":"Paint","due":null,"column":"todo","revision":3}]} satisfies forms.ChangedOfVecOfTask,
  {"change":"text","elsewhere":true} satisfies forms.ChangedOfStr,
  "eraser-tip" satisfies forms.Tool,
  {"Ok":1} satisfies forms.ResultOfUint8OrColor,
  {"Err":"red"} satisfies forms.ResultOfUint8OrColor,
];
