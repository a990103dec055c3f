import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The digests of up to 512 neighbouring chunks, end to end: 20 bytes each for SHA-1 and 32 bytes each for SHA-256. */
@Entity('chunk_pages')
export class ChunkPageEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @PrimaryColumn('integer') first!: number;
  @Column('integer') count!: number;
  @Column('bytea') sha1!: Buffer;
  @Column('bytea') sha256!: Buffer;
}
